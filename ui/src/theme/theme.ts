import {
  type CSSVariablesResolver,
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
} from '@mantine/core';

const jade: MantineColorsTuple = [
  '#e3f2ee',
  '#c9e5de',
  '#9fd0c5',
  '#6fb9aa',
  '#3fa18e',
  '#14957f',
  '#0f8271',
  '#0b6e60',
  '#095b50',
  '#064239',
];
const red: MantineColorsTuple = [
  '#fcebe9',
  '#f8d3cf',
  '#f0aaa3',
  '#e67f75',
  '#da5a4e',
  '#ce453a',
  '#bf3a30',
  '#a62f26',
  '#8a261f',
  '#6b1d18',
];
// Mantine's own dark palette fails contrast with our accent; these steps are our tokens.
const dark: MantineColorsTuple = [
  '#e9ebea',
  '#c6cac8',
  '#a9aeab',
  '#8b918e',
  '#3a3f3d',
  '#2a2e2c',
  '#212423',
  '#191b1a',
  '#141615',
  '#111312',
];

export const theme = createTheme({
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  headings: { fontFamily: 'var(--font)', fontWeight: '600' },
  colors: { jade, red, dark },
  primaryColor: 'jade',
  primaryShade: { light: 7, dark: 4 },
  autoContrast: false,
  cursorType: 'pointer',
  respectReducedMotion: true,
  defaultRadius: 'sm',
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  radius: { xs: '4px', sm: '6px', md: '8px', lg: '12px', xl: '16px' },
  spacing: { xs: '8px', sm: '12px', md: '16px', lg: '20px', xl: '24px' },
  shadows: {
    xs: 'var(--shadow-1)',
    sm: 'var(--shadow-2)',
    md: 'var(--shadow-3)',
    lg: 'var(--shadow-3)',
    xl: 'var(--shadow-3)',
  },
  breakpoints: { xs: '30em', sm: '45em', md: '64em', lg: '80em', xl: '96em' },
  variantColorResolver(input) {
    const usual = defaultVariantColorsResolver(input);
    const danger = input.color === 'red';
    if (input.variant === 'filled')
      return {
        ...usual,
        background: danger ? 'var(--danger)' : 'var(--accent)',
        hover: danger ? 'var(--danger)' : 'var(--accent-hover)',
        color: 'var(--text-inv)',
        border: '1px solid transparent',
      };
    if (input.variant === 'default')
      return {
        ...usual,
        background: 'var(--bg-surface)',
        hover: 'var(--bg-hover)',
        color: 'var(--text)',
        border: '1px solid var(--line)',
      };
    if (input.variant === 'subtle')
      return {
        ...usual,
        background: 'transparent',
        hover: danger ? 'var(--danger-soft)' : 'var(--bg-hover)',
        color: danger ? 'var(--danger)' : 'var(--text-2)',
        border: '1px solid transparent',
      };
    if (input.variant === 'light')
      return {
        ...usual,
        background: danger ? 'var(--danger-soft)' : 'var(--accent-soft)',
        hover: danger ? 'var(--danger-soft)' : 'var(--accent-soft)',
        color: danger ? 'var(--danger)' : 'var(--accent-text)',
        border: '1px solid transparent',
      };
    return usual;
  },
  components: {
    Button: {
      defaultProps: { variant: 'default', size: 'sm' },
      vars: (_: unknown, props: { size?: string }) => ({
        root: {
          '--button-height': props.size === 'lg' ? '40px' : 'var(--ctl)',
          '--button-padding-x': '10px',
          '--button-fz': props.size === 'lg' ? 'var(--fs-md)' : 'var(--fs-sm)',
        },
      }),
    },
    ActionIcon: { defaultProps: { variant: 'subtle' }, vars: () => ({ root: { '--ai-size': 'var(--ctl)' } }) },
    Input: {
      vars: (_: unknown, props: { size?: string }) => ({
        wrapper: {
          '--input-height': props.size === 'md' ? '38px' : 'var(--ctl)',
          '--input-fz': props.size === 'md' ? 'var(--fs-md)' : 'var(--fs-sm)',
          '--input-padding': '9px',
        },
      }),
    },
    InputWrapper: { defaultProps: { size: 'sm' } },
    Modal: {
      defaultProps: { transitionProps: { duration: 100 }, overlayProps: { backgroundOpacity: 0.28 }, radius: 'lg' },
    },
    Drawer: { defaultProps: { transitionProps: { duration: 120 }, overlayProps: { backgroundOpacity: 0.28 } } },
    Menu: {
      defaultProps: { transitionProps: { duration: 0 }, position: 'bottom-start', withinPortal: true, radius: 'md' },
    },
    Popover: { defaultProps: { transitionProps: { duration: 0 }, radius: 'md' } },
    Combobox: { defaultProps: { transitionProps: { duration: 0 } } },
  },
});

const shared = {
  '--mantine-color-body': 'var(--bg-surface)',
  '--mantine-color-text': 'var(--text)',
  '--mantine-color-bright': 'var(--text)',
  '--mantine-color-dimmed': 'var(--text-3)',
  '--mantine-color-placeholder': 'var(--text-3)',
  '--mantine-color-anchor': 'var(--accent-text)',
  '--mantine-color-error': 'var(--danger)',
  '--mantine-color-default': 'var(--bg-surface)',
  '--mantine-color-default-hover': 'var(--bg-hover)',
  '--mantine-color-default-color': 'var(--text)',
  '--mantine-color-default-border': 'var(--line)',
  '--mantine-color-disabled': 'var(--bg-sunken)',
  '--mantine-color-disabled-color': 'var(--text-off)',
  '--mantine-color-disabled-border': 'var(--line)',
  '--mantine-primary-color-filled': 'var(--accent)',
  '--mantine-primary-color-filled-hover': 'var(--accent-hover)',
  '--mantine-primary-color-light': 'var(--accent-soft)',
  '--mantine-primary-color-light-hover': 'var(--accent-soft)',
  '--mantine-primary-color-light-color': 'var(--accent-text)',
  '--mantine-color-jade-filled': 'var(--accent)',
  '--mantine-color-jade-filled-hover': 'var(--accent-hover)',
  '--mantine-color-jade-light': 'var(--accent-soft)',
  '--mantine-color-jade-light-color': 'var(--accent-text)',
  '--mantine-color-red-filled': 'var(--danger)',
};

/** Everything of Mantine that has a colour takes it from tokens.css. */
export const cssVariablesResolver: CSSVariablesResolver = () => ({ variables: {}, light: shared, dark: shared });
