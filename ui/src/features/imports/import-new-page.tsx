import { IconDownload } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { importTemplateUrl, isAbort, type ObjectType, type UploadProgress, useUploadImport } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { useCan, useObjects } from '@/metadata';
import { BackLink, Button, ButtonAnchor, Closed, ObjectIcon, Page, Panel, Progress } from '@/ui';
import { DropZone, EXTENSIONS } from './drop-zone';
import css from './imports.module.css';
import { Steps } from './steps';

const ORDER = ['customer', 'order', 'product', 'contact', 'store', 'channel'];
/** Orders come with their lines in one flat file; these would be halves of it. */
const WITHIN_ORDERS = new Set(['order_line', 'refund', 'user']);

const importable = (objects: readonly ObjectType[]): ObjectType[] => {
  const place = (object: ObjectType) => (ORDER.indexOf(object.key) + ORDER.length + 1) % (ORDER.length + 1);
  return objects
    .filter((object) => object.actions.import && !object.hidden && !WITHIN_ORDERS.has(object.key))
    .toSorted((left, right) => place(left) - place(right));
};

function Upload({ progress, onCancel }: { progress: UploadProgress | null; onCancel: () => void }) {
  const { t } = useTranslation(['imports', 'common']);
  const fmt = useFormat();
  const share = progress === null || progress.total === 0 ? null : progress.sent / progress.total;
  return (
    <div className={css.uploading} role="status">
      <div className="row">
        <span className="grow">{share === 1 ? t('imports:reading') : t('imports:uploading')}</span>
        <span className="muted num">
          {progress === null ? '' : `${fmt.bytes(progress.sent)} / ${fmt.bytes(progress.total)}`}
        </span>
        <Button kind="subtle" onClick={onCancel}>
          {t('common:cancel')}
        </Button>
      </div>
      <Progress value={share === 1 ? null : share} label={t('imports:uploading')} />
    </div>
  );
}

export function ImportNewPage() {
  const { t } = useTranslation(['imports', 'importing', 'common']);
  const label = useLabel();
  const can = useCan();
  const navigate = useNavigate();
  const objects = importable(useObjects());
  const { object: wanted } = useSearch({ strict: false }) as { object?: string };
  const [object, setObject] = useState(objects.some((each) => each.key === wanted) ? wanted : objects[0]?.key);
  const [file, setFile] = useState<File | null>(null);
  const [progress, setProgress] = useState<UploadProgress | null>(null);
  const upload = useUploadImport();
  const abort = useRef<AbortController | null>(null);
  if (!can('import.run')) return <Closed cause="no_permission" />;
  const strange = file !== null && !EXTENSIONS.some((ending) => file.name.toLowerCase().endsWith(ending));
  const hollow = file !== null && file.size === 0;
  const start = () => {
    if (file === null || object === undefined) return;
    abort.current = new AbortController();
    setProgress(null);
    upload.mutate(
      { object, file, onProgress: setProgress, signal: abort.current.signal },
      {
        onSuccess: (run) => {
          navigate({ to: '/imports/$id', params: { id: run.id } });
        },
      },
    );
  };
  const failed = upload.error !== null && !isAbort(upload.error) ? upload.error : null;
  return (
    <Page title={t('imports:new')} back={<BackLink to="/imports" label={t('imports:backToList')} />}>
      <div className={css.wizard}>
        <Steps now="file" />
        <Panel title={t('imports:what')}>
          <div className={css.objects} role="radiogroup" aria-label={t('imports:what')}>
            {objects.map((each) => (
              <label key={each.key} className={cx(css.object, each.key === object && css.objectOn)}>
                <input
                  type="radio"
                  name="import-object"
                  className="sr-only"
                  value={each.key}
                  checked={each.key === object}
                  disabled={upload.isPending}
                  onChange={() => setObject(each.key)}
                />
                <ObjectIcon name={each.icon} size={18} />
                <span className={css.objectName}>{label(each.plural, each.key)}</span>
                <span className="muted">{t(`imports:about.${ORDER.includes(each.key) ? each.key : 'other'}`)}</span>
              </label>
            ))}
          </div>
        </Panel>
        <Panel
          title={t('imports:file')}
          aside={
            object !== undefined && (
              <ButtonAnchor
                href={importTemplateUrl(object)}
                download={`${object}-template.xlsx`}
                icon={<IconDownload size={15} />}
              >
                {t('importing:template')}
              </ButtonAnchor>
            )
          }
        >
          <DropZone
            file={file}
            disabled={upload.isPending}
            onPick={(next) => {
              setFile(next);
              upload.reset();
            }}
          />
          {strange && <p className={css.warn}>{t('imports:strangeFile')}</p>}
          {hollow && (
            <p className={css.bad} role="alert">
              {t('imports:emptyFile')}
            </p>
          )}
          {upload.isPending && <Upload progress={progress} onCancel={() => abort.current?.abort()} />}
          {failed !== null && (
            <p className={css.failed} role="alert">
              <strong>{t('imports:uploadFailed')}</strong> {failed.message}
            </p>
          )}
        </Panel>
        <div className={css.footer}>
          <Button
            kind="primary"
            disabled={file === null || hollow || object === undefined}
            loading={upload.isPending}
            onClick={start}
          >
            {t('imports:uploadAndMap')}
          </Button>
        </div>
      </div>
    </Page>
  );
}
