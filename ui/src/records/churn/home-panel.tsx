import { useQuery } from '@tanstack/react-query';
import { churnQuery } from '@/api';
import { Leaving } from './leaving';

/** On the home page: nothing where nobody was judged. */
export function HomeLeaving() {
  const { data } = useQuery(churnQuery());
  return data?.ready ? <Leaving data={data} shown={5} /> : null;
}
