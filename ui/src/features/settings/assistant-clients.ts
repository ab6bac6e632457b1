/** Programs whose settings are shown ready to copy. */
export const CLIENTS = ['claudeCode', 'desktop', 'vscode', 'program'] as const;
export type Client = (typeof CLIENTS)[number];

/** Where a program's settings go: a command for the terminal, or a file. */
export const KIND: Record<Client, 'command' | 'file'> = {
  claudeCode: 'command',
  desktop: 'file',
  vscode: 'file',
  program: 'file',
};

const shown = (value: unknown) => JSON.stringify(value, null, 2);

/** What a person copies for a program: the server's origin and the key filled in. */
export function settingsOf(client: Client, origin: string, key: string): string {
  const url = `${origin}/mcp`;
  const headers = { Authorization: `Bearer ${key}` };
  const forms: Record<Client, () => string> = {
    claudeCode: () => `claude mcp add --transport http guanxi ${url} --header "Authorization: Bearer ${key}"`,
    desktop: () => shown({ mcpServers: { guanxi: { url, headers } } }),
    vscode: () => shown({ servers: { guanxi: { type: 'http', url, headers } } }),
    program: () =>
      shown({
        mcpServers: {
          guanxi: { command: 'guanxi', args: ['mcp', '--url', origin], env: { GUANXI_API_KEY: key } },
        },
      }),
  };
  return forms[client]();
}

/** Whether a key travels in the open: plain http to another machine. */
export function inTheOpen(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'http:' && !['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}
