import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { type Region, regionsQuery } from '@/api';
import { useLanguage } from '@/i18n';
import type { CascaderOption } from '@/ui';

export interface RegionTree {
  options: CascaderOption[];
  /** Codes from the province down; null for an unknown code. */
  path: (code: string) => string[] | null;
  /** "浙江省 / 杭州市", as records show it. */
  name: (code: string) => string;
}

/** 省市区 as the cascader wants it; the codes are what is stored. */
export function useRegionTree(): RegionTree {
  const language = useLanguage();
  const { data } = useQuery(regionsQuery());
  return useMemo(() => {
    const parents = new Map<string, string | null>();
    const names = new Map<string, string>();
    const convert = (region: Region, parent: string | null): CascaderOption => {
      const label = language === 'en' ? (region.name_en ?? region.name) : region.name;
      parents.set(region.code, parent);
      names.set(region.code, label);
      const children = region.children?.map((child) => convert(child, region.code));
      return { value: region.code, label, ...(children !== undefined && children.length > 0 && { children }) };
    };
    const options = (data?.items ?? []).map((region) => convert(region, null));
    const path = (code: string): string[] | null => {
      if (!parents.has(code)) return null;
      const up = parents.get(code);
      return up === null || up === undefined ? [code] : [...(path(up) ?? []), code];
    };
    const name = (code: string) => (path(code) ?? []).map((step) => names.get(step) ?? step).join(' / ') || code;
    return { options, path, name };
  }, [data, language]);
}
