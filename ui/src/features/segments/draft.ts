import { useReducer } from 'react';
import type { Condition, Segment } from '@/api';
import { back, change, forth, startUndo, type Undo } from '@/lib/undo';

export interface Draft {
  label: string;
  description: string;
  folder: string;
  kind: Segment['kind'];
  where: Condition | null;
}
export type DraftAction =
  | { type: 'edit'; part: Partial<Draft>; tag?: string; at: number }
  | { type: 'undo' }
  | { type: 'redo' }
  | { type: 'load'; draft: Draft };

export const emptyDraft = (where: Condition | null = null, label = ''): Draft => ({
  label,
  description: '',
  folder: '',
  kind: 'dynamic',
  where,
});
export const draftOf = ({ label, description, folder, kind, where }: Segment): Draft => ({
  label,
  description,
  folder,
  kind,
  where,
});

export function reduceDraft(undo: Undo<Draft>, action: DraftAction): Undo<Draft> {
  switch (action.type) {
    case 'edit':
      return change(undo, { ...undo.now, ...action.part }, action.tag ?? null, action.at);
    case 'undo':
      return back(undo);
    case 'redo':
      return forth(undo);
    case 'load':
      return startUndo(action.draft);
  }
}

export const useDraft = (start: Draft) => useReducer(reduceDraft, start, startUndo<Draft>);

export const sameDraft = (left: Draft, right: Draft): boolean => JSON.stringify(left) === JSON.stringify(right);
