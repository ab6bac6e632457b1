// Takes calls before the tracker has arrived.
window.guanxi =
  window.guanxi ||
  function () {
    window.guanxi.q = window.guanxi.q || [];
    // biome-ignore lint/complexity/noArguments: what was called is passed on as it was
    window.guanxi.q.push(arguments);
  };
