import '@mantine/core/styles/Input.layer.css';
import '@mantine/core/styles/Paper.layer.css';
import '@mantine/core/styles/ScrollArea.layer.css';
import '@mantine/core/styles/Popover.layer.css';
import '@mantine/core/styles/CloseButton.layer.css';
import '@mantine/core/styles/Combobox.layer.css';
import '@mantine/core/styles/Pill.layer.css';
import '@mantine/core/styles/PillsInput.layer.css';
import {
  MultiSelect as MantineMultiSelect,
  Select as MantineSelect,
  TagsInput as MantineTagsInput,
} from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { useTranslation } from '@/i18n';
import { inputSize } from './input-base';
import { MantineScope } from './mantine-scope';
import { Dot } from './pill';
import type { MultiSelectProps, SelectOption, SelectProps, SharedSelectProps, TagsProps } from './select';

type Grouped = { group: string; items: SelectOption[] };
function toData(options: readonly SelectOption[]): (SelectOption | Grouped)[] {
  if (!options.some((option) => option.group !== undefined)) return [...options];
  const groups = new Map<string, Grouped>();
  for (const { group = '', ...option } of options) {
    const entry = groups.get(group) ?? { group, items: [] };
    entry.items.push(option);
    groups.set(group, entry);
  }
  return [...groups.values()];
}

function useShared(
  {
    options,
    searchValue,
    onSearch,
    empty,
    size,
    defaultOpened,
    onClosed,
    inPanel,
    ...rest
  }: Omit<SharedSelectProps, 'ref'>,
  hasValue: boolean,
) {
  const { t } = useTranslation('common');
  // With a value that can be cleared, the cross takes the place of the arrow.
  const crossed = rest.clearable === true && hasValue;
  const colors = new Map(options.map((option) => [option.value, option.color]));
  return {
    ...rest,
    size: inputSize(size),
    data: toData(options),
    nothingFoundMessage: empty ?? t('common:nothingFound'),
    comboboxProps: {
      transitionProps: { duration: 0 },
      width: 'max-content',
      position: 'bottom-start' as const,
      middlewares: { flip: true, shift: true },
      ...(inPanel && { withinPortal: false }),
    },
    maxDropdownHeight: 280,
    ...(searchValue !== undefined && { searchValue }),
    ...(onSearch !== undefined && { onSearchChange: onSearch }),
    ...(defaultOpened && { defaultDropdownOpened: true }),
    ...(onClosed !== undefined && { onDropdownClose: onClosed }),
    renderOption: ({ option }: { option: { value: string; label: string } }) => {
      const color = colors.get(option.value);
      return color === undefined ? option.label : <Dot color={color}>{option.label}</Dot>;
    },
    rightSection: rest.rightSection ?? <IconChevronDown size={14} stroke={1.8} color="var(--text-3)" aria-hidden />,
    rightSectionPointerEvents: crossed ? ('all' as const) : ('none' as const),
    rightSectionWidth: 26,
    ...(crossed && { clearSectionMode: 'clear' as const }),
    clearButtonProps: { 'aria-label': t('common:clear') },
  };
}

export function SelectImpl({ value, onChange, ref, ...rest }: SelectProps) {
  const shared = useShared(rest, value !== null);
  return (
    <MantineScope>
      <MantineSelect
        {...shared}
        ref={ref}
        value={value}
        onChange={onChange}
        allowDeselect={rest.clearable === true}
        checkIconPosition="right"
      />
    </MantineScope>
  );
}

export function MultiSelectImpl({ value, onChange, ref, ...rest }: MultiSelectProps) {
  const shared = useShared(rest, value.length > 0);
  return (
    <MantineScope>
      <MantineMultiSelect
        {...shared}
        ref={ref}
        value={value}
        onChange={onChange}
        hidePickedOptions={false}
        checkIconPosition="right"
        placeholder={value.length > 0 ? '' : rest.placeholder}
      />
    </MantineScope>
  );
}

/** Free words; pasting a list separated by commas, Chinese commas or lines makes one tag each. */
export function TagsInputImpl({ value, onChange, suggestions = [], size, ref, ...rest }: TagsProps) {
  return (
    <MantineScope>
      <MantineTagsInput
        {...rest}
        ref={ref}
        size={inputSize(size)}
        value={value}
        onChange={onChange}
        data={suggestions}
        splitChars={[',', '\uff0c', '\u3001', ';', '\n']}
        comboboxProps={{ transitionProps: { duration: 0 } }}
        placeholder={value.length > 0 ? '' : rest.placeholder}
      />
    </MantineScope>
  );
}
