# SPDX-License-Identifier: Apache-2.0
# Targets of the corpus, included by the Makefile.

.PHONY: corpus corpus-build corpus-check corpus-boot
corpus: ## fetch public firmware packages by name into BUILD/corpus
	$(Q)corpus/fetch.sh $(BUILD)/corpus

corpus-build: ## rebuild the images of corpus/ (needs the cross compilers)
	$(Q)corpus/build.sh

corpus-check: ## rebuild the images of corpus/ elsewhere and compare
	$(Q)corpus/build.sh --check

corpus-boot: ## run the self test of every image of corpus/ under QEMU
	$(Q)corpus/boot.sh
