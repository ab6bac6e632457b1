import { useState } from 'react';
import { useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { matchScore } from '@/lib/match';
import { Button, OBJECT_ICONS, ObjectIcon, Popover, SearchInput } from '@/ui';
import css from './object.module.css';
import grid from './object-grid.module.css';

/** The icon of an object, chosen from a grid that can be searched. */
export function IconChoice({ value, onChange }: { value: string; onChange: (icon: string) => void }) {
  const { t } = useTranslation(['shape', 'common']);
  const [opened, setOpened] = useState(false);
  const [search, setSearch] = useState('');
  const found = OBJECT_ICONS.filter(
    (icon) => matchScore(search, { label: t(`shape:icon.${icon}`), keywords: icon }) > 0,
  );
  return (
    <div>
      <div className={css.label}>{t('shape:object.icon')}</div>
      <Popover
        opened={opened}
        onChange={setOpened}
        width={332}
        target={
          <Button
            icon={<ObjectIcon name={value} size={17} />}
            aria-expanded={opened}
            aria-haspopup="dialog"
            aria-label={t('shape:object.iconNow', { name: t(`shape:icon.${value}`, { defaultValue: value }) })}
            onClick={() => setOpened(!opened)}
          >
            {t('shape:object.iconChange')}
          </Button>
        }
      >
        <div className={grid.iconPanel}>
          <SearchInput
            value={search}
            onChange={setSearch}
            placeholder={t('shape:object.iconSearch')}
            aria-label={t('shape:object.iconSearch')}
            autoFocus
          />
          <div className={grid.icons}>
            {found.map((icon) => (
              <button
                key={icon}
                type="button"
                className={cx(grid.iconButton, icon === value && grid.iconOn)}
                aria-pressed={icon === value}
                aria-label={t(`shape:icon.${icon}`)}
                title={t(`shape:icon.${icon}`)}
                onClick={() => {
                  onChange(icon);
                  setOpened(false);
                }}
              >
                <ObjectIcon name={icon} size={18} />
              </button>
            ))}
            {found.length === 0 && <p className="muted">{t('common:nothingFound')}</p>}
          </div>
        </div>
      </Popover>
    </div>
  );
}
