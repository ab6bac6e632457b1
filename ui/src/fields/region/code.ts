import { asText, isObject } from '../base/value-text';

export const regionCode = (value: unknown): string => asText(isObject(value) ? value.code : value);
