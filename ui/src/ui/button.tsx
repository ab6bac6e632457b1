import { createLink } from '@tanstack/react-router';
import type { AriaAttributes, MouseEventHandler, ReactNode, Ref } from 'react';
import { cx } from '@/lib/cx';
import css from './button.module.css';
import { Tooltip } from './tooltip';

type Kind = 'primary' | 'default' | 'subtle' | 'danger' | 'danger-subtle';

interface Inside {
  icon?: ReactNode;
  rightIcon?: ReactNode;
  children?: ReactNode;
}

/** The look of a button is ours: it is on every first page, where a component library would be half of the load. */
const Content = ({ icon, rightIcon, children }: Inside) => (
  <>
    {icon !== undefined && <span className={css.section}>{icon}</span>}
    <span className={css.label} data-button-label>
      {children}
    </span>
    {rightIcon !== undefined && <span className={css.section}>{rightIcon}</span>}
  </>
);

export interface ButtonProps extends Inside {
  kind?: Kind;
  size?: 'sm' | 'lg';
  /** Shows that it works and takes no second click. */
  loading?: boolean;
  disabled?: boolean;
  fullWidth?: boolean;
  type?: 'button' | 'submit';
  title?: string;
  className?: string;
  onClick?: MouseEventHandler<HTMLButtonElement>;
  ref?: Ref<HTMLButtonElement>;
  'aria-label'?: string;
  'aria-expanded'?: boolean;
  'aria-pressed'?: boolean;
  'aria-haspopup'?: 'menu' | 'dialog' | 'listbox';
  'data-testid'?: string;
}

export function Button({
  kind = 'default',
  size = 'sm',
  type = 'button',
  icon,
  rightIcon,
  loading = false,
  disabled = false,
  fullWidth = false,
  className,
  children,
  ...rest
}: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      className={cx(css.button, className)}
      data-kind={kind}
      data-size={size}
      data-full={fullWidth || undefined}
      disabled={disabled || loading}
      aria-busy={loading || undefined}
    >
      <Content icon={icon} rightIcon={rightIcon}>
        {children}
      </Content>
      {loading && <span className={css.spinner} aria-hidden />}
    </button>
  );
}

interface AnchorProps {
  kind?: Kind;
  size?: 'sm' | 'lg';
  icon?: ReactNode;
  children?: ReactNode;
  className?: string;
  ref?: Ref<HTMLAnchorElement>;
}
function AnchorButton({ kind = 'default', icon, size = 'sm', className, children, ...rest }: AnchorProps) {
  return (
    <a {...rest} className={cx(css.button, className)} data-kind={kind} data-size={size}>
      <Content icon={icon}>{children}</Content>
    </a>
  );
}
/** A plain address that looks like a button: files to download. */
export const ButtonAnchor: (props: AnchorProps & { href: string; download?: string }) => ReactNode = AnchorButton;
/** A link that looks like a button; takes the props of the router's Link. */
export const ButtonLink = createLink(AnchorButton);

export interface IconButtonProps {
  /** Spoken and shown as a tooltip: an icon alone says nothing. */
  label: string;
  icon: ReactNode;
  kind?: Kind;
  size?: 'sm' | 'md';
  disabled?: boolean;
  loading?: boolean;
  active?: boolean;
  className?: string;
  tooltip?: boolean;
  onClick?: MouseEventHandler<HTMLButtonElement>;
  ref?: Ref<HTMLButtonElement>;
  'aria-expanded'?: AriaAttributes['aria-expanded'];
  'aria-haspopup'?: 'menu' | 'dialog' | 'listbox';
}

export function IconButton({
  label,
  icon,
  kind = 'subtle',
  size = 'md',
  active,
  tooltip = true,
  loading = false,
  disabled = false,
  className,
  ...rest
}: IconButtonProps) {
  const button = (
    <button
      type="button"
      aria-label={label}
      aria-pressed={active}
      {...rest}
      className={cx(css.button, css.icon, className)}
      data-kind={kind}
      data-size={size === 'sm' ? 'small' : undefined}
      disabled={disabled || loading}
      aria-busy={loading || undefined}
    >
      <span className={css.section}>{icon}</span>
      {loading && <span className={css.spinner} aria-hidden />}
    </button>
  );
  return tooltip ? (
    <Tooltip label={label} repeats>
      {button}
    </Tooltip>
  ) : (
    button
  );
}
