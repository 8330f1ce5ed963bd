# A computer or a large Linux device: A/B between files, memory to spare.
name = host
title = Any computer, from file to file
source = none: no flash is involved
arch = auto
mode = ab

slot.blocks = image
second.blocks = image

ram = 64M
model_ram = 16M
chunk_len = 64K
check_len = 0
