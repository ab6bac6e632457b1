import { type Condition, INTERACTIONS } from '@/api';

/** Customers who did something with a content. */
export const peopleOf = (content: string): Condition => ({
  any: INTERACTIONS.map((event) => ({ event, where: { property: 'content_id', op: '=', value: content } })),
});
