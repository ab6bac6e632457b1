import '@mantine/core/styles/Input.layer.css';
import '@mantine/core/styles/Paper.layer.css';
import '@mantine/core/styles/ScrollArea.layer.css';
import '@mantine/core/styles/Popover.layer.css';
import '@mantine/core/styles/CloseButton.layer.css';
import '@mantine/core/styles/Combobox.layer.css';
import '@mantine/core/styles/Cascader.layer.css';
import { Cascader as MantineCascader } from '@mantine/core';
import { useTranslation } from '@/i18n';
import { useIsPhone } from '@/lib/hooks';
import type { CascaderProps } from './cascader';
import { inputSize } from './input-base';
import { MantineScope } from './mantine-scope';

export function CascaderImpl({ value, onChange, options, size, defaultOpened, onClosed, ...rest }: CascaderProps) {
  const { t } = useTranslation('common');
  const phone = useIsPhone();
  return (
    <MantineScope>
      <MantineCascader
        {...rest}
        data={options}
        value={value}
        onChange={(path) => onChange(path)}
        size={inputSize(size)}
        searchable
        changeOnSelect
        withColumns={!phone}
        separator=" / "
        columnWidth={150}
        clearButtonProps={{ 'aria-label': t('common:clear') }}
        nothingFoundMessage={t('common:nothingFound')}
        previousLevelsControlLabel={t('common:previous')}
        nextLevelsControlLabel={t('common:next')}
        comboboxProps={{ transitionProps: { duration: 0 }, width: 'max-content', position: 'bottom-start' }}
        {...(defaultOpened && { defaultDropdownOpened: true })}
        {...(onClosed !== undefined && { onDropdownClose: onClosed })}
      />
    </MantineScope>
  );
}
