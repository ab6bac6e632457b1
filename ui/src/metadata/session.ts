import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { type Capability, type Session, sessionQuery } from '@/api';

/** The session inside the signed-in frame: the router has loaded it before anything of the frame renders. */
export function useSession(): Session {
  return useSuspenseQuery(sessionQuery()).data;
}

/** Whether the person may do something. Outside the frame nobody may do anything. */
export function useCan(): (capability: Capability) => boolean {
  const { data } = useQuery({ ...sessionQuery(), enabled: false });
  return useCallback((capability: Capability) => data?.can[capability] === true, [data]);
}
