import type { AddressValue } from '@/api';
import { isObject } from '../base/value-text';

export const asAddress = (value: unknown): AddressValue => (isObject(value) ? (value as AddressValue) : {});
