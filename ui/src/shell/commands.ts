import type { ReactNode } from 'react';
import { useEffect } from 'react';
import { useEvent } from '@/lib/hooks';
import { createStore } from '@/lib/store';

/** Something that can be done from the palette. */
export interface Command {
  id: string;
  label: string;
  /** Syllables for pinyin search: "xin jian ke hu". */
  pinyin?: string;
  keywords?: string;
  icon?: ReactNode;
  /** Shown at the right; registering the keys is useShortcuts' work. */
  keys?: string;
  run: () => void;
}

export const commandStore = createStore<readonly Command[]>([]);

/** Offers commands in the palette while a component is on screen ("导出本列表" on a list). */
export function useCommands(commands: readonly Command[]): void {
  const newest = useEvent(() => commands);
  const signature = commands.map((command) => `${command.id}|${command.label}`).join('\n');
  useEffect(() => {
    const mine = newest().map((command, at) => ({ ...command, signature, run: () => newest()[at]?.run() }));
    commandStore.set((old) => [...mine, ...old]);
    return () => commandStore.set((old) => old.filter((command) => !(mine as readonly Command[]).includes(command)));
  }, [newest, signature]);
}
