import type { Field, FieldType, Operator } from '@/api';
import { addressKind } from './address';
import { autoNumberKind } from './auto_number';
import { birthdayKind } from './birthday';
import { boolKind } from './bool';
import { choiceKind } from './choice';
import { dateKind } from './date';
import { datetimeKind } from './datetime';
import { durationKind } from './duration';
import { emailKind } from './email';
import { fileKind } from './file';
import { imageKind } from './image';
import { jsonKind } from './json';
import type { FieldKind } from './kind';
import { longTextKind } from './long_text';
import { moneyKind } from './money';
import { multiChoiceKind } from './multi_choice';
import { numberKind } from './number';
import { percentKind } from './percent';
import { phoneKind } from './phone';
import { ratingKind } from './rating';
import { recordKind } from './record';
import { regionKind } from './region';
import { relationKind } from './relation';
import { relationManyKind } from './relation_many';
import { tagsKind } from './tags';
import { textKind } from './text';
import { urlKind } from './url';
import { userKind } from './user';

/** One line per field type; lists, pages, forms, conditions and imports all read from here. */
export const FIELD_KINDS = {
  text: textKind,
  long_text: longTextKind,
  number: numberKind,
  money: moneyKind,
  bool: boolKind,
  date: dateKind,
  datetime: datetimeKind,
  choice: choiceKind,
  multi_choice: multiChoiceKind,
  tags: tagsKind,
  phone: phoneKind,
  email: emailKind,
  url: urlKind,
  region: regionKind,
  address: addressKind,
  relation: relationKind,
  relation_many: relationManyKind,
  user: userKind,
  auto_number: autoNumberKind,
  birthday: birthdayKind,
  json: jsonKind,
  record: recordKind,
  percent: percentKind,
  duration: durationKind,
  rating: ratingKind,
  file: fileKind,
  image: imageKind,
} as const satisfies Record<FieldType, FieldKind>;

/** A type that a newer server knows and this interface does not is shown as text. */
export const kindOf = (type: FieldType): FieldKind => FIELD_KINDS[type] ?? textKind;

export const operatorsOf = (field: Field): readonly Operator[] =>
  field.operators.length > 0 ? field.operators : kindOf(field.type).operators;
