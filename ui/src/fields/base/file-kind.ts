import { createElement, lazy, Suspense } from 'react';
import { defineKind, OPS, refused } from '../kind';
import { asFiles } from './file-value';

// Few lists show files: the others do not wait for how they look.
const FileStack = lazy(async () => ({ default: (await import('./file-stack')).FileStack }));

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
    display: (value) => {
      const files = asFiles(value);
      return files.length === 0
        ? null
        : createElement(Suspense, { fallback: null }, createElement(FileStack, { files }));
    },
    parse: (text) => (text.trim() === '' ? { ok: true, value: null } : refused),
    toWrite: (value) => {
      const ids = asFiles(value).map((file) => file.id);
      return ids.length === 0 ? null : ids;
    },
  });
