import { useEffect, useState } from 'react';
import type { LetterShown } from '@/api';
import { loadWords, useTranslation } from '@/i18n';
import { Button, Pill } from '@/ui';
import css from './letter.module.css';

const LONG = 240;
const COLORS: Record<LetterShown['state'], string> = {
  waiting: 'blue',
  sending: 'blue',
  sent: 'green',
  failed: 'red',
  unknown: 'orange',
  cancelled: 'gray',
};

/** A mail on the timeline: what it says and what became of it. */
export function LetterEntry({ letter }: { letter: LetterShown }) {
  const [ready, setReady] = useState(false);
  useEffect(() => {
    void loadWords('letter').then(() => setReady(true));
  }, []);
  return ready ? <Body letter={letter} /> : null;
}

function Body({ letter }: { letter: LetterShown }) {
  const { t } = useTranslation('letter');
  const [whole, setWhole] = useState(letter.text.length <= LONG);
  return (
    <div className={css.letter}>
      <span className={css.subject}>{letter.subject || t('letter:gone')}</span>
      <p className={css.text}>{whole ? letter.text : `${letter.text.slice(0, LONG)}\u2026`}</p>
      {!whole && (
        <Button kind="subtle" onClick={() => setWhole(true)}>
          {t('letter:whole')}
        </Button>
      )}
      <span className={css.foot}>
        <Pill color={COLORS[letter.state]}>{t(`letter:state.${letter.state}`)}</Pill>
        {letter.to}
        {letter.state === 'failed' && letter.reason === 'address' && t('letter:bounced')}
      </span>
    </div>
  );
}
