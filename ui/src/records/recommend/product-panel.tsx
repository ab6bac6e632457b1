import { useQuery } from '@tanstack/react-query';
import { productListQuery, type RecordData, type Ref } from '@/api';
import { useTranslation } from '@/i18n';
import { ErrorState, SkeletonRows } from '@/ui';
import { ProductList } from './product-list';
import css from './recommend.module.css';

/** What is bought together with a product, and what is like it. */
export function ProductRecommendPanel({ record, onOpenRef }: { record: RecordData; onOpenRef: (ref: Ref) => void }) {
  return (
    <div className={css.panel}>
      <Part product={record.id} kind="together" onOpen={onOpenRef} />
      <Part product={record.id} kind="similar" onOpen={onOpenRef} />
    </div>
  );
}

function Part({
  product,
  kind,
  onOpen,
}: {
  product: string;
  kind: 'similar' | 'together';
  onOpen: (ref: Ref) => void;
}) {
  const { t } = useTranslation('recommend');
  const answer = useQuery(productListQuery(product, kind));
  return (
    <section className={css.section} aria-label={t(`recommend:product.${kind}`)}>
      <h2 className={css.heading}>{t(`recommend:product.${kind}`)}</h2>
      {answer.isError && <ErrorState compact error={answer.error} onRetry={() => answer.refetch()} />}
      {answer.isPending && <SkeletonRows rows={4} />}
      {answer.data !== undefined && (
        <ProductList data={answer.data} label={t(`recommend:product.${kind}`)} onOpen={onOpen} />
      )}
      <p className={css.note}>{t(`recommend:product.${kind}Means`)}</p>
    </section>
  );
}
