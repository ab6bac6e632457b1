import { useMemo } from 'react';
import type { ImportRun } from '@/api';
import { labelText, useLanguage } from '@/i18n';

/** Names of targets; one that another group has as well is told apart by its group: "customer \u203a name". */
export function useTargetNames(targets: ImportRun['targets']): Map<string, string> {
  const language = useLanguage();
  return useMemo(() => {
    const plain = targets.map((target) => labelText(target.label, language, target.key));
    return new Map(
      targets.map((target, at) => {
        const name = plain[at] ?? target.key;
        const shared = plain.filter((other) => other === name).length > 1;
        return [target.key, shared ? `${labelText(target.group, language)} \u203a ${name}` : name];
      }),
    );
  }, [targets, language]);
}
