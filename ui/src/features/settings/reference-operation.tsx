import { IconCopy } from '@tabler/icons-react';
import { useState } from 'react';
import type { ApiDocument, ApiSchema } from '@/api';
import { useTranslation } from '@/i18n';
import { copyText } from '@/lib/clipboard';
import { Button, toast } from '@/ui';
import { curlOf, membersOf, type Operation, typeOf } from './reference';
import css from './reference.module.css';

const DEEPEST = 5;

interface MembersProps {
  document: ApiDocument;
  schema: ApiSchema;
  /** Whether it is sent: what is needed is marked. */
  sent?: boolean;
  depth?: number;
}

/** The members of a schema; those of a member open below it. */
function Members({ document, schema, sent = false, depth = 0 }: MembersProps) {
  const { t } = useTranslation('reference');
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const members = membersOf(document, schema);
  if (members.length === 0) return <p className={css.type}>{typeOf(document, schema)}</p>;
  const toggle = (name: string) =>
    setOpen((old) => {
      const next = new Set(old);
      if (!next.delete(name)) next.add(name);
      return next;
    });
  return (
    <ul className={css.members}>
      {members.map(([name, member, required]) => {
        const deeper = depth < DEEPEST && membersOf(document, member).length > 0;
        const shown = open.has(name);
        return (
          <li key={name}>
            <div className={css.member}>
              {deeper ? (
                <button type="button" className={css.toggle} aria-expanded={shown} onClick={() => toggle(name)}>
                  {name}
                </button>
              ) : (
                <code>{name}</code>
              )}
              <span className={css.type}>{typeOf(document, member)}</span>
              {sent && required && <span className={css.mark}>{t('reference:required')}</span>}
              {member.readOnly === true && <span className={css.mark}>{t('reference:readOnly')}</span>}
              {member.description !== undefined && <span className="muted">{member.description}</span>}
              {member.enum !== undefined && <span className={css.type}>{member.enum.join(' \u00b7 ')}</span>}
            </div>
            {deeper && shown && <Members document={document} schema={member} sent={sent} depth={depth + 1} />}
          </li>
        );
      })}
    </ul>
  );
}

function Details({ document, operation }: { document: ApiDocument; operation: Operation }) {
  const { t } = useTranslation(['reference', 'common']);
  const command = curlOf(document, operation, window.location.origin);
  const copy = async () => {
    if (await copyText(command)) toast.ok(t('common:copied'));
  };
  const given = operation.parameters.filter((parameter) => parameter.name !== 'object' || parameter.in !== 'path');
  return (
    <div className={css.details}>
      {operation.description !== '' && <p className="muted">{operation.description}</p>}
      {given.length > 0 && (
        <section>
          <h4>{t('reference:parameters')}</h4>
          <ul className={css.members}>
            {given.map((parameter) => (
              <li key={parameter.in + parameter.name} className={css.member}>
                <code>{parameter.name}</code>
                <span className={css.type}>{typeOf(document, parameter.schema)}</span>
                <span className={css.mark}>{t(`reference:in.${parameter.in}`)}</span>
                {parameter.required === true && <span className={css.mark}>{t('reference:required')}</span>}
              </li>
            ))}
          </ul>
        </section>
      )}
      {operation.body !== undefined && (
        <section>
          <h4>
            {t('reference:body')} <span className={css.type}>{operation.body.type}</span>
          </h4>
          <Members document={document} schema={operation.body.schema} sent />
        </section>
      )}
      {operation.answer !== undefined && (
        <section>
          <h4>
            {t('reference:answer')}{' '}
            <span className={css.type}>
              {[operation.answer.status, operation.answer.type].filter(Boolean).join(' ')}
            </span>
          </h4>
          {operation.answer.schema !== undefined && <Members document={document} schema={operation.answer.schema} />}
        </section>
      )}
      <section>
        <h4>{t('reference:command')}</h4>
        <div className={css.command}>
          <pre>{command}</pre>
          <Button
            icon={<IconCopy size={15} />}
            aria-label={t('reference:copyOf', { name: operation.summary })}
            onClick={copy}
          >
            {t('common:copy')}
          </Button>
        </div>
      </section>
    </div>
  );
}

interface OperationRowProps {
  document: ApiDocument;
  operation: Operation;
  open: boolean;
  onToggle: () => void;
}

/** One operation: a line that opens to what it takes and gives. */
export function OperationRow({ document, operation, open, onToggle }: OperationRowProps) {
  return (
    <li className={css.operation} id={operation.id}>
      <button type="button" className={css.line} aria-expanded={open} onClick={onToggle}>
        <span className={css.method} data-method={operation.method}>
          {operation.method}
        </span>
        <code className={css.path}>{operation.path}</code>
        <span className={css.summary}>{operation.summary}</span>
      </button>
      {open && <Details document={document} operation={operation} />}
    </li>
  );
}
