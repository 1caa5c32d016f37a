/* pick.h - which records a parser must see, told where they lie: the others cost neither a copy nor a turn of the worker.
 *
 * Hints. admits says whether a record holds one. Of a record that is a part of the bytes being cut (hw_pick_piece) it is known from
 * one search through all of these bytes, as grep does it, not from one in each record.
 *
 * Newest. Where the parser's module says `newest`, a record that only goes on from the one before needn't be fed when it is
 * followed by another one of the kind:
 *   fed R1, its answer came                      hw_pick_fed, hw_pick_answer
 *   R2, R3... of which each follows              hw_pick_follows: they wait
 *   the last of them is fed alone                hw_pick_fed, hw_pick_answer; false: it said nothing, so that all that wait are fed after
 *                                                all, it too: what says nothing has changed nothing
 * Whoever else is fed begins anew: hw_pick_fed. */
#ifndef HW_LUA_PICK_H
#define HW_LUA_PICK_H

#include "lua/meta.h"

struct hw_pick {
    const struct hw_parser_meta *meta; /* borrows; NULL = the parser has not said yet: it must see all */
    struct hw_str piece;
    const char *next[HW_META_HINTS_MAX]; /* of each hint, in the piece: the first that is not behind; its end = none */
    bool known;                          /* what was fed last gave a sample: `chain` */
    bool formed;                         /* what was fed last, unanswered, has the form: `fed` */
    struct hw_form_values fed;
    struct hw_form_values chain; /* of the last that was fed and gave a sample, or followed */
};

void hw_pick_init(struct hw_pick *p, const struct hw_parser_meta *meta);
/* Records may be parts of these bytes. No bytes: of nothing that is known. */
void hw_pick_piece(struct hw_pick *p, struct hw_str piece);
/* Records of one piece come in order. */
bool hw_pick_admits(struct hw_pick *p, struct hw_str record);
/* Whether a record goes on from the one before, so that only it matters of the two. */
bool hw_pick_follows(struct hw_pick *p, struct hw_str record);
/* The last record of a batch; {NULL, 0}: any. */
void hw_pick_fed(struct hw_pick *p, struct hw_str record);
/* What was said of it; NULL = nothing, or a refusal. False: it was no sample. */
bool hw_pick_answer(struct hw_pick *p, const struct hw_sample *sample);

#endif
