import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const folder = path.resolve(import.meta.dirname, 'shop');
const TITLES: Record<string, string> = {
  home: 'Green Shop',
  search: 'Search',
  product: 'Product',
  cart: 'Cart',
  checkout: 'Checkout',
  thanks: 'Thank you',
  login: 'Account',
  spa: 'Shop',
};
/** As strict as a careful site is: scripts of its own and of the program, and nowhere else to send to. */
const policy = (host: string) =>
  `default-src 'self'; script-src 'self' ${host}; connect-src 'self' ${host}; img-src 'self' data:`;

export interface Shop {
  url: string;
  close: () => Promise<void>;
}

/** A shop on an origin of its own, whose pages load the tracker of the program at `host`. */
export async function openShop(host: string, key: string, port: number): Promise<Shop> {
  const template = fs.readFileSync(path.join(folder, 'page.html'), 'utf8');
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://shop');
    const script = path.basename(pathname);
    if (script === 'shop.js' || script === 'queue.js') {
      response.writeHead(200, { 'Content-Type': 'text/javascript' });
      response.end(fs.readFileSync(path.join(folder, script)));
      return;
    }
    if (pathname.endsWith('.pdf')) {
      response.writeHead(200, { 'Content-Type': 'application/pdf', 'Content-Disposition': 'attachment' });
      response.end('%PDF-1.4');
      return;
    }
    const name = pathname.startsWith('/spa/') ? 'spa' : path.basename(pathname, '.html').replace(/^(index)?$/, 'home');
    const title = TITLES[name];
    if (title === undefined) {
      response.writeHead(404);
      response.end();
      return;
    }
    response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Security-Policy': policy(host) });
    response.end(
      template.replace('__TITLE__', title).replace('__HOST__', host).replace('__KEY__', key).replace('__PAGE__', name),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
