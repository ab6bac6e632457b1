import '@mantine/core/styles/Input.layer.css';
import '@mantine/core/styles/Paper.layer.css';
import '@mantine/core/styles/ScrollArea.layer.css';
import '@mantine/core/styles/Popover.layer.css';
import '@mantine/core/styles/CloseButton.layer.css';
import '@mantine/core/styles/Combobox.layer.css';
import { Combobox, useCombobox } from '@mantine/core';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from '@/i18n';
import { matchScore } from '@/lib/match';
import { MantineScope } from './mantine-scope';
import type { PickerProps } from './picker';
import css from './picker.module.css';

const MOST = 120;

/** Opened from the start: it is loaded by the press that asks for it. */
export function PickerImpl({ groups, onPick, children, searchLabel, selected, width = 300 }: PickerProps) {
  const { t } = useTranslation('common');
  const [search, setSearch] = useState('');
  const combobox = useCombobox({
    defaultOpened: true,
    onDropdownClose: () => {
      combobox.resetSelectedOption();
      combobox.focusTarget();
      setSearch('');
    },
    onDropdownOpen: () => combobox.focusSearchInput(),
  });
  const { focusSearchInput } = combobox;
  useEffect(() => focusSearchInput(), [focusSearchInput]);
  const found = useMemo(() => {
    let left = MOST;
    return groups
      .map((group) => {
        const hits = group.items.filter(
          (item) => matchScore(search, { label: item.label, keywords: `${item.keywords ?? ''} ${group.label}` }) > 0,
        );
        const items = hits.slice(0, left);
        left -= items.length;
        return { ...group, items };
      })
      .filter((group) => group.items.length > 0);
  }, [groups, search]);

  return (
    <MantineScope>
      <Combobox
        store={combobox}
        width={width}
        position="bottom-start"
        withinPortal
        transitionProps={{ duration: 0 }}
        onOptionSubmit={(value) => {
          combobox.closeDropdown();
          onPick(value);
        }}
      >
        <Combobox.Target withAriaAttributes={false}>
          {children(() => combobox.toggleDropdown(), combobox.dropdownOpened)}
        </Combobox.Target>
        <Combobox.Dropdown>
          <Combobox.Search
            value={search}
            onChange={(event) => {
              setSearch(event.currentTarget.value);
              combobox.updateSelectedOptionIndex();
            }}
            placeholder={searchLabel}
            aria-label={searchLabel}
          />
          <Combobox.Options className={css.options} aria-label={searchLabel}>
            {found.length === 0 && <Combobox.Empty>{t('common:nothingFound')}</Combobox.Empty>}
            {found.map((group) => (
              <Combobox.Group key={group.label} label={group.label}>
                {group.items.map((item) => (
                  <Combobox.Option
                    key={item.value}
                    value={item.value}
                    active={item.value === selected}
                    className={css.option}
                  >
                    {item.icon !== undefined && <span className={css.icon}>{item.icon}</span>}
                    <span className="truncate">{item.label}</span>
                    {item.hint !== undefined && <span className={css.hint}>{item.hint}</span>}
                  </Combobox.Option>
                ))}
              </Combobox.Group>
            ))}
          </Combobox.Options>
        </Combobox.Dropdown>
      </Combobox>
    </MantineScope>
  );
}
