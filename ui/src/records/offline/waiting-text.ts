import type { ObjectType, Waiting } from '@/api';
import { labelText, useLanguage, useTranslation } from '@/i18n';
import { findObject, useObjects } from '@/metadata';

/** What one reads of something that waits: "new visit …", and how it stands with it. */
export function useWaitingText() {
  const { t } = useTranslation('offline');
  const language = useLanguage();
  const objects = useObjects();
  const objectOf = (item: Waiting): ObjectType | undefined => findObject(objects, item.object);
  const kindOf = (item: Waiting): string => labelText(objectOf(item)?.label, language, item.object);
  const said = { create: 'offline:create', update: 'offline:change', file: 'offline:picture' } as const;
  return {
    objectOf,
    kindOf,
    name: (item: Waiting): string => t(said[item.kind], { kind: kindOf(item), name: item.title }),
    state: (item: Waiting): string =>
      t(item.state === 'waiting' && item.triedAt > 0 ? 'offline:state.tried' : `offline:state.${item.state}`),
    why: (item: Waiting): string => {
      if (item.state === 'refused') return item.problem;
      if (item.state === 'conflict') return t('offline:conflictText');
      if (item.state === 'unsure') return t('offline:unsureText');
      return item.triedAt > 0 ? t('offline:triedText') : '';
    },
  };
}
