import '@mantine/core/styles/Paper.layer.css';
import '@mantine/core/styles/Popover.layer.css';
import '@mantine/core/styles/Input.layer.css';
import '@mantine/dates/styles.layer.css';
import 'dayjs/locale/zh-cn';
import { DatePickerInput, DatesProvider } from '@mantine/dates';
import { useLanguage, useTranslation } from '@/i18n';
import type { DatePickerProps, DateRangePickerProps } from './date-picker';
import { inputSize } from './input-base';
import { MantineScope } from './mantine-scope';

const settings = (language: string) => ({
  locale: language === 'zh-CN' ? 'zh-cn' : 'en',
  firstDayOfWeek: 1 as const,
  consistentWeeks: true,
});
const pattern = (language: string) => (language === 'zh-CN' ? 'YYYY-MM-DD' : 'MMM D, YYYY');

export function DatePickerImpl({ value, onChange, size, defaultOpened, ...rest }: DatePickerProps) {
  const language = useLanguage();
  const { t } = useTranslation('common');
  return (
    <MantineScope>
      <DatesProvider settings={settings(language)}>
        <DatePickerInput
          {...rest}
          size={inputSize(size)}
          value={value}
          onChange={(next) => onChange(next)}
          valueFormat={pattern(language)}
          clearButtonProps={{ 'aria-label': t('common:clear') }}
          popoverProps={{ transitionProps: { duration: 0 }, ...(defaultOpened && { defaultOpened: true }) }}
        />
      </DatesProvider>
    </MantineScope>
  );
}

export function DateRangePickerImpl({ value, onChange, size, ...rest }: DateRangePickerProps) {
  const language = useLanguage();
  const { t } = useTranslation('common');
  return (
    <MantineScope>
      <DatesProvider settings={settings(language)}>
        <DatePickerInput
          {...rest}
          type="range"
          size={inputSize(size)}
          value={value}
          onChange={(next) => onChange(next)}
          valueFormat={pattern(language)}
          clearButtonProps={{ 'aria-label': t('common:clear') }}
          popoverProps={{ transitionProps: { duration: 0 } }}
        />
      </DatesProvider>
    </MantineScope>
  );
}
