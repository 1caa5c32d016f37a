#include "lua/pick.h"

void hw_pick_init(struct hw_pick *p, const struct hw_parser_meta *meta)
{
    *p = (struct hw_pick){ .meta = meta };
}

/* ---- hints --------------------------------------------------------------------------------------- */

void hw_pick_piece(struct hw_pick *p, struct hw_str piece)
{
    p->piece = piece;
    for (size_t i = 0; p->meta && i < p->meta->hint_count; i++)
        p->next[i] = NULL;
}

static bool lies_in(struct hw_str piece, struct hw_str record)
{
    uintptr_t begin = (uintptr_t)piece.ptr, at = (uintptr_t)record.ptr;
    return piece.len && at >= begin && at + record.len <= begin + piece.len;
}

bool hw_pick_admits(struct hw_pick *p, struct hw_str record)
{
    if (!p->meta || !lies_in(p->piece, record))
        return !p->meta || hw_meta_admits(p->meta, record);
    const char *end = p->piece.ptr + p->piece.len;
    for (size_t i = 0; i < p->meta->hint_count; i++) {
        const struct hw_hint *h = &p->meta->hints[i];
        if (!p->next[i] || p->next[i] < record.ptr) {
            const char *found = hw_hint_find(h, record.ptr, end);
            p->next[i] = found ? found : end;
        }
        if (p->next[i] + h->len <= record.ptr + record.len)
            return true;
    }
    return p->meta->hint_count == 0;
}

/* ---- newest -------------------------------------------------------------------------------------- */

bool hw_pick_follows(struct hw_pick *p, struct hw_str record)
{
    struct hw_form_values now;
    if (!p->known)
        return false;
    if (!p->meta->form.count)
        return true;
    if (!hw_form_read(&p->meta->form, record, &now) ||
        !hw_form_follows(&p->meta->form, &p->chain, &now))
        return false;
    p->chain = now;
    return true;
}

void hw_pick_fed(struct hw_pick *p, struct hw_str record)
{
    p->known = false;
    p->formed = p->meta && p->meta->newest && record.len &&
                (!p->meta->form.count || hw_form_read(&p->meta->form, record, &p->fed));
}

bool hw_pick_answer(struct hw_pick *p, const struct hw_sample *sample)
{
    p->known = p->formed && sample && !sample->each;
    p->chain = p->fed;
    p->formed = false;
    return sample;
}
