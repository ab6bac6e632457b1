import { ActionIcon, Button as MantineButton } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { MouseEventHandler, ReactNode, Ref } from 'react';
import { Tooltip } from './tooltip';

type Kind = 'primary' | 'default' | 'subtle' | 'danger' | 'danger-subtle';

const LOOK = {
  primary: { variant: 'filled', color: 'jade' },
  default: { variant: 'default', color: 'jade' },
  subtle: { variant: 'subtle', color: 'jade' },
  danger: { variant: 'filled', color: 'red' },
  'danger-subtle': { variant: 'subtle', color: 'red' },
} as const satisfies Record<Kind, { variant: string; color: string }>;

export interface ButtonProps {
  kind?: Kind;
  size?: 'sm' | 'lg';
  icon?: ReactNode;
  rightIcon?: ReactNode;
  loading?: boolean;
  disabled?: boolean;
  fullWidth?: boolean;
  type?: 'button' | 'submit';
  title?: string;
  className?: string;
  onClick?: MouseEventHandler<HTMLButtonElement>;
  children?: ReactNode;
  ref?: Ref<HTMLButtonElement>;
  'aria-label'?: string;
  'aria-expanded'?: boolean;
  'aria-haspopup'?: 'menu' | 'dialog' | 'listbox';
  'data-testid'?: string;
}

export function Button({ kind = 'default', icon, rightIcon, size = 'sm', type = 'button', ...rest }: ButtonProps) {
  return (
    <MantineButton {...LOOK[kind]} size={size} type={type} leftSection={icon} rightSection={rightIcon} {...rest} />
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
function AnchorButton({ kind = 'default', icon, size = 'sm', ...rest }: AnchorProps) {
  return <MantineButton component="a" {...LOOK[kind]} size={size} leftSection={icon} {...rest} />;
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
  'aria-expanded'?: boolean;
  'aria-haspopup'?: 'menu' | 'dialog' | 'listbox';
}

export function IconButton({
  label,
  icon,
  kind = 'subtle',
  size = 'md',
  active,
  tooltip = true,
  ...rest
}: IconButtonProps) {
  const button = (
    <ActionIcon
      {...LOOK[kind]}
      aria-label={label}
      {...(active !== undefined && { 'aria-pressed': active })}
      style={size === 'sm' ? { '--ai-size': '24px' } : undefined}
      {...rest}
    >
      {icon}
    </ActionIcon>
  );
  return tooltip ? (
    <Tooltip label={label} repeats>
      {button}
    </Tooltip>
  ) : (
    button
  );
}
