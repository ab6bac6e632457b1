export const STATUS_HUE = { draft: 'gray', active: 'green', ended: 'red' } as const;
