import { createElement } from 'react';
import { defineKind, OPS, refused } from '../kind';
import { FileStack } from './file-stack';
import { asFiles } from './file-value';

/** Fields that hold files. Their names can be copied; they say nothing about where a content is, so they cannot be pasted. */
export const holdsFiles = (type: 'file' | 'image', width: number) =>
  defineKind({
    type,
    width,
    sortable: false,
    aggregate: [],
    operators: OPS.files,
    text: (value) =>
      asFiles(value)
        .map((file) => file.name ?? '')
        .filter(Boolean)
        .join(', '),
    display: (value) => createElement(FileStack, { files: asFiles(value) }),
    parse: (text) => (text.trim() === '' ? { ok: true, value: null } : refused),
    toWrite: (value) => {
      const ids = asFiles(value).map((file) => file.id);
      return ids.length === 0 ? null : ids;
    },
  });
