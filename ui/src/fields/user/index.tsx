import { Avatar } from '@/ui';
import { asText, isRef } from '../base/value-text';
import { defineKind, OPS } from '../kind';

export const userKind = defineKind({
  type: 'user',
  width: 130,
  operators: OPS.choice,
  display: (value) =>
    isRef(value) ? (
      <span className="row">
        <Avatar name={value.title} size={18} shape="round" />
        <span className="truncate">{value.title}</span>
      </span>
    ) : null,
  text: (value) => (isRef(value) ? value.title : asText(value)),
  toWrite: (value) => (isRef(value) ? value.id : (value ?? null)),
});
