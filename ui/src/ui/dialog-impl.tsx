import '@mantine/core/styles/Paper.layer.css';
import '@mantine/core/styles/ScrollArea.layer.css';
import '@mantine/core/styles/CloseButton.layer.css';
import '@mantine/core/styles/Overlay.layer.css';
import '@mantine/core/styles/ModalBase.layer.css';
import '@mantine/core/styles/Modal.layer.css';
import '@mantine/core/styles/Drawer.layer.css';
import { Drawer as MantineDrawer, Modal as MantineModal } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from '@/i18n';
import type { DialogProps, DrawerProps } from './dialog';
import { useGiveUp } from './give-up';
import { MantineScope } from './mantine-scope';

const Footer = ({ children }: { children: ReactNode }) => (
  <div className="row" style={{ justifyContent: 'flex-end', marginTop: 20, flexWrap: 'wrap' }}>
    {children}
  </div>
);

/** The name from the first moment on: the library ties the heading to the dialog only after it is drawn. */
const named = (title: ReactNode) => (typeof title === 'string' ? { content: { 'aria-label': title } } : undefined);

export function ModalImpl(props: DialogProps) {
  const { opened, title, children, size = 480, footer, dismissible = true } = props;
  const { t } = useTranslation('common');
  const close = useGiveUp(props.dirty, props.onClose);
  return (
    <MantineScope>
      <MantineModal
        opened={opened}
        onClose={close}
        title={title}
        attributes={named(title)}
        size={size}
        centered
        withCloseButton={dismissible}
        closeOnEscape={dismissible}
        closeOnClickOutside={dismissible}
        closeButtonProps={{ 'aria-label': t('common:close') }}
      >
        {children}
        {footer !== undefined && <Footer>{footer}</Footer>}
      </MantineModal>
    </MantineScope>
  );
}

export function DrawerImpl(props: DrawerProps) {
  const { opened, title, children, size = 480, footer, side = 'right' } = props;
  const { t } = useTranslation('common');
  const close = useGiveUp(props.dirty, props.onClose);
  return (
    <MantineScope>
      <MantineDrawer
        opened={opened}
        onClose={close}
        title={title}
        attributes={named(title)}
        size={size}
        position={side}
        closeButtonProps={{ 'aria-label': t('common:close') }}
      >
        {children}
        {footer !== undefined && <Footer>{footer}</Footer>}
      </MantineDrawer>
    </MantineScope>
  );
}
