import type { ReactNode } from 'react';
import { Button } from './button';
import { Modal } from './dialog';
import css from './version-choice.module.css';

interface Props {
  opened: boolean;
  onClose: () => void;
  title: string;
  text: string;
  mine: { label: string; content: ReactNode; choose: string; onChoose: () => void };
  theirs: { label: string; content: ReactNode; choose: string; onChoose: () => void };
}

/** Somebody else saved in between: both versions side by side, and nothing is overwritten without a choice. */
export function VersionChoice({ opened, onClose, title, text, mine, theirs }: Props) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      size={680}
      footer={
        <>
          <Button onClick={theirs.onChoose}>{theirs.choose}</Button>
          <Button kind="primary" onClick={mine.onChoose}>
            {mine.choose}
          </Button>
        </>
      }
    >
      <p className="muted">{text}</p>
      <div className={css.sides}>
        {[theirs, mine].map((side) => (
          <section key={side.label} className={css.side}>
            <h3 className={css.label}>{side.label}</h3>
            {side.content}
          </section>
        ))}
      </div>
    </Modal>
  );
}
