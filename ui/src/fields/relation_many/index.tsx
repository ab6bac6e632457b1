import { Pill } from '@/ui';
import { asList, asText, isRef } from '../base/value-text';
import { defineKind, OPS } from '../kind';

export const relationManyKind = defineKind({
  type: 'relation_many',
  width: 200,
  sortable: false,
  operators: OPS.many,
  display: (value) =>
    asList(value).map((item) =>
      isRef(item) ? (
        <Pill key={item.id} color="gray">
          {item.title}
        </Pill>
      ) : (
        asText(item)
      ),
    ),
  text: (value) =>
    asList(value)
      .map((item) => (isRef(item) ? item.title : asText(item)))
      .join(', '),
  toWrite: (value) => asList(value).map((item) => (isRef(item) ? item.id : item)),
});
