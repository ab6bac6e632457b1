import { expect, test } from 'vitest';
import { CLIENTS, inTheOpen, KIND, settingsOf } from './assistant-clients';

const origin = 'https://crm.example.com';

test('every program gets the address and the key', () => {
  for (const client of CLIENTS) {
    const text = settingsOf(client, origin, 'gxk_secret');
    expect(text).toContain('gxk_secret');
    expect(text).toContain(origin);
    if (KIND[client] === 'file') expect(() => JSON.parse(text)).not.toThrow();
  }
});

test('a program of its own is told where the server is, the others where assistants speak', () => {
  expect(JSON.parse(settingsOf('program', origin, 'k')).mcpServers.guanxi.args).toEqual(['mcp', '--url', origin]);
  expect(JSON.parse(settingsOf('desktop', origin, 'k')).mcpServers.guanxi.url).toBe(`${origin}/mcp`);
});

test('plain http is in the open, but not on this machine', () => {
  expect(inTheOpen('http://crm.local:8080/mcp')).toBe(true);
  expect(inTheOpen('http://127.0.0.1:8080/mcp')).toBe(false);
  expect(inTheOpen('http://localhost/mcp')).toBe(false);
  expect(inTheOpen('https://crm.example.com/mcp')).toBe(false);
});
