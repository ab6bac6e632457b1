import { queryOptions } from '@tanstack/react-query';
import { API, api } from './client';

/** What this page reads of a JSON schema. */
export interface ApiSchema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  enum?: unknown[];
  properties?: Record<string, ApiSchema>;
  required?: string[];
  items?: ApiSchema;
  additionalProperties?: boolean | ApiSchema;
  readOnly?: boolean;
}

interface Content {
  content?: Record<string, { schema?: ApiSchema }>;
}

export interface ApiParameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  schema: ApiSchema;
}

export interface ApiOperation {
  operationId: string;
  summary: string;
  description?: string;
  tags: string[];
  parameters?: ApiParameter[];
  requestBody?: Content;
  responses: Record<string, Content & { description: string }>;
  security?: Record<string, string[]>[];
}

export interface ApiDocument {
  paths: Record<string, Record<string, ApiOperation>>;
  components: { schemas: Record<string, ApiSchema> };
}

export const REFERENCE_URL = `${API}/openapi.json`;

/** The interface document of this workspace, in the language of the reader and with what the reader may do. */
export const referenceQuery = (language: string) =>
  queryOptions({
    queryKey: ['reference', language],
    queryFn: ({ signal }) => api.get<ApiDocument>('/openapi.json', { signal }),
  });
