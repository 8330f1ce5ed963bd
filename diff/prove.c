/* SPDX-License-Identifier: Apache-2.0 */
#include "prove.h"
#include "apply.h"
#include "rehearsal.h"
#include "sim/sim.h"

#include <string.h>

static int prove_in_memory(const struct inlay_image *old, const struct inlay_image *new,
                           const struct inlay_buffer *patch, struct inlay_rehearsal *rehearsal,
                           struct inlay_error *err)
{
    struct inlay_buffer made;
    const struct inlay_codec *const rehearsed[] = {inlay_rehearsal_codec(rehearsal), NULL};
    int code = inlay_apply_with(rehearsed[0] ? rehearsed : inlay_host_codecs(), old->data,
                                old->size, patch->data, patch->len, NULL, &made, err);
    if (code)
        return code;
    int same = made.len == new->size && (!made.len || !memcmp(made.data, new->data, made.len));
    inlay_buffer_free(&made);
    return same ? 0 : inlay_fail(err, INLAY_EXIT_FAILURE, "the result differs from the new image");
}

static int prove_on_flash(const struct inlay_sim_setup *setup, struct inlay_error *err)
{
    struct inlay_sim *sim;
    struct inlay_sim_result result;
    int code = inlay_sim_new(setup, &sim, err);
    if (code)
        return code;
    code = inlay_sim_run(sim, &result, err);
    inlay_sim_free(sim);
    return code;
}

int inlay_prove(const struct inlay_profile *profile, int in_place, const struct inlay_image *old,
                const struct inlay_image *new, const struct inlay_buffer *patch,
                struct inlay_rehearsal *rehearsal, struct inlay_error *err)
{
    const struct inlay_profile_area *target = inlay_profile_target(profile, in_place);
    struct inlay_error cause = {""};
    const struct inlay_sim_setup setup = {.profile = profile,
                                          .in_place = in_place,
                                          .old = old->data,
                                          .old_size = (uint32_t)old->size,
                                          .new = new->data,
                                          .new_size = (uint32_t) new->size,
                                          .patch = patch->data,
                                          .patch_len = (uint32_t)patch->len,
                                          .boot = inlay_sim_patcher};
    int code = target->regions ? prove_on_flash(&setup, &cause)
                               : prove_in_memory(old, new, patch, rehearsal, &cause);
    if (!code)
        return 0;
    /* Whatever the patcher calls it, it is the differ that failed, unless it is a limit. */
    return inlay_fail(err, code == INLAY_EXIT_LIMIT ? code : INLAY_EXIT_FAILURE,
                      "the patch was not written, for the patcher could not apply it under "
                      "profile %.31s: %.400s",
                      profile->name, cause.text);
}
