/* SPDX-License-Identifier: Apache-2.0 */
#include "inlay_patch.h"

const char *inlay_status_text(enum inlay_status status)
{
    switch (status) {
    case INLAY_OK:
        return "fine";
    case INLAY_MORE:
        return "more bytes of the patch are needed";
    case INLAY_AGAIN:
        return "there is more to do";
    case INLAY_DONE:
        return "the new image is in place and verified";
    case INLAY_ALREADY:
        return "this patch was already applied";
    case INLAY_E_USAGE:
        return "bad argument or configuration";
    case INLAY_E_WORKSPACE:
        return "the workspace is too small";
    case INLAY_E_OLD:
        return "the installed image is not the one this patch was made for";
    case INLAY_E_CORRUPT:
        return "the patch is corrupt";
    case INLAY_E_CHAIN:
        return "a piece of the patch does not match its digest";
    case INLAY_E_RESULT:
        return "the result does not match the patch's digest";
    case INLAY_E_UNSUPPORTED:
        return "the patch needs a newer or fuller patcher";
    case INLAY_E_LIMIT:
        return "the patch does not fit this device";
    case INLAY_E_FLASH:
        return "flash failed";
    case INLAY_E_SIGNATURE:
        return "the patch is not signed by a known key";
    case INLAY_E_POLICY:
        return "the patch is for another device, or older than allowed";
    case INLAY_E_BUSY:
        return "another patch is half applied";
    case INLAY_E_JOURNAL:
        return "the journal is from another version";
    case INLAY_E_PROGRESS:
        return "too many boots without progress";
    }
    return "unknown status";
}
