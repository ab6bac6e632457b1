import { IconEye, IconEyeOff } from '@tabler/icons-react';
import type { ObjectType } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { IconButton } from '@/ui';
import css from './object.module.css';
import layoutCss from './object-layout.module.css';
import type { LayoutDraft } from './object-layout-draft';
import { useSorting } from './object-sort';

interface Props {
  object: ObjectType;
  draft: LayoutDraft;
  onChange: (draft: LayoutDraft) => void;
}

/** The tabs of a page in their order; those that are closed to the eye are left out. */
export function TabsOrder({ object, draft, onChange }: Props) {
  const { t } = useTranslation(['layout', 'records', 'customers']);
  const label = useLabel();
  const nameOf = (tab: string): string => {
    if (tab === 'timeline') return t('records:page.timeline');
    if (tab === 'history') return t('records:page.history');
    if (tab === 'lines') return t('records:order.lines');
    if (tab === 'traits') return t('customers:traits.title');
    const relation = object.related.find((each) => `${each.object}.${each.via}` === tab);
    return label(relation?.label, tab);
  };
  const sorting = useSorting(draft.tabs, (tabs) => onChange({ ...draft, tabs }));
  return (
    <div>
      <p className={css.help}>{t('layout:tabsHelp')}</p>
      <ul className={css.chosen} aria-label={t('layout:tabs')}>
        {sorting.order.map((tab) => {
          const off = draft.hiddenTabs.includes(tab);
          return (
            <li key={tab}>
              {sorting.handle(tab, nameOf(tab))}
              <span className={off ? `grow truncate ${layoutCss.off}` : 'grow truncate'}>{nameOf(tab)}</span>
              <IconButton
                size="sm"
                label={t(off ? 'layout:showTab' : 'layout:hideTab', { name: nameOf(tab) })}
                icon={off ? <IconEyeOff size={14} /> : <IconEye size={14} />}
                onClick={() =>
                  onChange({
                    ...draft,
                    hiddenTabs: off ? draft.hiddenTabs.filter((each) => each !== tab) : [...draft.hiddenTabs, tab],
                  })
                }
              />
            </li>
          );
        })}
      </ul>
      {sorting.status}
    </div>
  );
}
