import type { Definition, ObjectType } from '@/api';

export interface Template {
  key: string;
  definition: Definition;
}

type Words = (key: string) => string;

/** Rules to begin with, with their texts in the language of who begins. */
export const templatesOf = (t: Words): Template[] => [
  {
    key: 'vip',
    definition: {
      object: 'customer',
      trigger: { kind: 'changed', changes: [{ field: 'tags', to: { op: 'contains', value: 'VIP' } }] },
      steps: [
        {
          id: 'welcome',
          kind: 'create',
          object: 'task',
          values: [
            { field: 'subject', text: t('automations:template.vip.subject') },
            { field: 'about', from: 'id' },
            { field: 'assignee', from: 'owner' },
            { field: 'due_at', after: { days: 1, at: '18:00' } },
            { field: 'priority', value: 'high' },
          ],
        },
        { id: 'tell', kind: 'notify', to: ['owner'], people: [], text: t('automations:template.vip.text') },
      ],
    },
  },
  {
    key: 'unpaid',
    definition: {
      object: 'order',
      trigger: { kind: 'created' },
      where: { field: 'paid_at', op: 'is_not_set' },
      steps: [
        {
          id: 'paid',
          kind: 'wait',
          wait: {
            kind: 'condition',
            amount: 3,
            unit: 'day',
            expired: 'continue',
            where: { field: 'paid_at', op: 'is_set' },
          },
        },
        {
          id: 'still',
          kind: 'branch',
          where: {
            all: [
              { field: 'paid_at', op: 'is_not_set' },
              { field: 'status', op: '!=', value: 'cancelled' },
            ],
          },
          // biome-ignore lint/suspicious/noThenProperty: the word of the rule's form; a step is never awaited
          then: [
            {
              id: 'call',
              kind: 'create',
              object: 'task',
              values: [
                { field: 'subject', text: t('automations:template.unpaid.subject') },
                { field: 'about', from: 'id' },
                { field: 'assignee', from: 'sales_person' },
                { field: 'due_at', after: { days: 0, at: '18:00' } },
              ],
            },
          ],
          else: [],
        },
      ],
    },
  },
  {
    key: 'birthday',
    definition: {
      object: 'customer',
      trigger: { kind: 'date', field: 'birthday', days: -3, at: '09:00', yearly: true },
      steps: [
        {
          id: 'greet',
          kind: 'create',
          object: 'task',
          values: [
            { field: 'subject', text: t('automations:template.birthday.subject') },
            { field: 'about', from: 'id' },
            { field: 'assignee', from: 'owner' },
            { field: 'due_at', after: { days: 3, at: '10:00' } },
          ],
        },
      ],
    },
  },
  {
    key: 'owner',
    definition: {
      object: 'customer',
      trigger: { kind: 'changed', changes: [{ field: 'owner', to: { op: 'is_set' } }] },
      steps: [{ id: 'tell', kind: 'notify', to: ['owner'], people: [], text: t('automations:template.owner.text') }],
    },
  },
  {
    key: 'refund',
    definition: {
      object: 'refund',
      trigger: { kind: 'created' },
      where: { field: 'amount', op: '>', value: { amount: '1000.00', currency: 'CNY' } },
      steps: [
        { id: 'tell', kind: 'notify', to: ['customer_owner'], people: [], text: t('automations:template.refund.text') },
      ],
    },
  },
];

const fieldsOf = (definition: Definition): string[] => [
  ...(definition.trigger.changes ?? []).map(({ field }) => field),
  ...(definition.trigger.field ? [definition.trigger.field] : []),
];

export const usable = (templates: readonly Template[], objects: readonly ObjectType[]): Template[] =>
  templates.filter(({ definition }) => {
    const object = objects.find(({ key }) => key === definition.object);
    return (
      object !== undefined && fieldsOf(definition).every((key) => object.fields.some((field) => field.key === key))
    );
  });
