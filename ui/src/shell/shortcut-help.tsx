import { useTranslation } from '@/i18n';
import { useStore } from '@/lib/store';
import { Kbd, Modal, Switch } from '@/ui';
import { closeOverlay, overlayStore } from './overlays';
import css from './shortcut-help.module.css';
import { type Shortcut, setSingleKeys, shortcutStore, singleKeysStore } from './shortcuts';

export function ShortcutHelp() {
  const { t } = useTranslation('shell');
  const opened = useStore(overlayStore) === 'shortcuts';
  const shortcuts = useStore(shortcutStore);
  const singleKeys = useStore(singleKeysStore);
  const groups = new Map<string, Shortcut[]>();
  for (const shortcut of shortcuts) groups.set(shortcut.group, [...(groups.get(shortcut.group) ?? []), shortcut]);
  return (
    <Modal opened={opened} onClose={closeOverlay} title={t('shell:shortcuts.title')} size={640}>
      <div className={css.groups}>
        {[...groups].map(([name, entries]) => (
          <section key={name}>
            <h3 className={css.heading}>{name}</h3>
            {entries.map((entry) => (
              <div key={entry.keys} className={css.row}>
                <span>{entry.label}</span>
                <Kbd keys={entry.keys} />
              </div>
            ))}
          </section>
        ))}
      </div>
      <div className={css.foot}>
        <Switch
          label={t('shell:shortcuts.single')}
          description={t('shell:shortcuts.singleHelp')}
          checked={singleKeys}
          onChange={setSingleKeys}
        />
      </div>
    </Modal>
  );
}
