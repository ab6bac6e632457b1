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
})();
