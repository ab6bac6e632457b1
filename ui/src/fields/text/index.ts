import { asText } from '../base/value-text';
import { defineKind } from '../kind';

export const textKind = defineKind({ type: 'text', text: asText });
