// Theme, density and language before the first paint. A file of its own, so that the CSP needs no inline script.
(() => {
  const root = document.documentElement;
  const read = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const theme = read('guanxi.theme') || 'auto';
  const dark = theme === 'dark' || (theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
  root.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
  if (read('guanxi.density') === 'compact') root.setAttribute('data-density', 'compact');
  const chosen = read('guanxi.lang');
  const wanted = chosen || (navigator.language || 'zh-CN');
  root.lang = /^zh/i.test(wanted) ? 'zh-CN' : 'en';
  // The name under the icon of an installed program is of the language that was chosen when it was installed.
  const manifest = document.querySelector('link[rel="manifest"]');
  if (manifest) manifest.href = `/manifest.${root.lang}.webmanifest`;
  // A look that was chosen against the system's colours the bars of the phone too.
  if (theme !== 'auto')
    for (const meta of document.querySelectorAll('meta[name="theme-color"]')) meta.content = dark ? '#141615' : '#fbfbfa';
})();
