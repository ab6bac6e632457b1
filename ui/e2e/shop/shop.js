// The shop's own script: what a developer of a website writes.
const PRODUCTS = [
  { product_id: 'p1', sku: 'QD-100', name: 'Jade dress', category: 'Dresses', price: 399 },
  { product_id: 'p2', sku: 'QD-200', name: 'Silk scarf', category: 'Scarves', price: 129.5 },
  { product_id: 'p3', sku: 'QD-300', name: 'Linen shirt', category: 'Shirts', price: 259 },
];
const cart = () => JSON.parse(sessionStorage.getItem('cart') ?? '[]');
const product = (id) => PRODUCTS.find((each) => each.product_id === id);
const total = () => cart().reduce((sum, each) => sum + each.price * each.quantity, 0);
const query = (name) => new URLSearchParams(location.search).get(name) ?? '';
const page = document.body.dataset.page;
const main = document.querySelector('main');
const show = (html) => {
  main.innerHTML = html;
};
const listOf = (list) =>
  `<ul>${list.map((each) => `<li><a href="product.html?id=${each.product_id}">${each.name}</a> ${each.price}</li>`).join('')}</ul>`;

const pages = {
  home() {
    show(`${listOf(PRODUCTS)}
      <p><a href="size-chart.pdf" download>Size chart</a> <a href="http://outside.invalid/partner?token=secret">Partner</a></p>
      <button type="button" data-gx-event="Banner Clicked" data-gx-banner="autumn" data-gx-position="1">Autumn</button>
      <button type="button" data-gx-ignore data-gx-event="Never">Ignored</button>`);
    guanxi('productListViewed', { list_id: 'home', products: PRODUCTS });
  },
  search() {
    const found = PRODUCTS.filter((each) => each.name.toLowerCase().includes(query('q').toLowerCase()));
    show(listOf(found));
    guanxi('productsSearched', { query: query('q') });
  },
  product() {
    const shown = product(query('id'));
    show(`<h2>${shown.name}</h2><button type="button" id="add">Add to cart</button>`);
    guanxi('productViewed', shown);
    document.querySelector('#add').addEventListener('click', () => {
      sessionStorage.setItem('cart', JSON.stringify([...cart(), { ...shown, quantity: 1 }]));
      guanxi('productAdded', { ...shown, quantity: 1 });
    });
  },
  cart() {
    show(`${listOf(cart())}<p id="total">${total()}</p><a href="checkout.html">Checkout</a>`);
    guanxi('cartViewed', { products: cart() });
  },
  checkout() {
    show(`<form id="checkout" name="checkout" action="thanks.html">
      <input name="recipient" /><input name="phone" type="tel" /><input name="card" type="password" /><input name="csrf" type="hidden" value="x" />
      <button type="submit">Pay</button></form>`);
    guanxi('checkoutStarted', { value: total(), currency: 'CNY', products: cart() });
  },
  thanks() {
    show('<h2>Thank you</h2>');
    const order = { order_id: `D-${query('order') || '1001'}`, revenue: total(), currency: 'CNY', products: cart() };
    guanxi('orderCompleted', order);
    sessionStorage.removeItem('cart');
  },
  login() {
    show('<button type="button" id="in">Log in</button><button type="button" id="out">Log out</button>');
    document
      .querySelector('#in')
      .addEventListener('click', () =>
        guanxi('identify', query('user') || 'u-77', { city: 'Shanghai', email: query('mail') || 'anna@example.com' }),
      );
    document.querySelector('#out').addEventListener('click', () => guanxi('reset'));
  },
  spa() {
    const route = () => {
      document.title = `Shop ${location.pathname}`;
      show(`<h2>${location.pathname}</h2><p style="height:1400px"></p>`);
    };
    for (const link of document.querySelectorAll('nav a[data-route]'))
      link.addEventListener('click', (event) => {
        event.preventDefault();
        history.pushState(null, '', link.getAttribute('href'));
        route();
      });
    addEventListener('popstate', route);
    route();
  },
};
pages[page]();
document
  .querySelector('#agree')
  ?.addEventListener('click', () => guanxi('consent', { analytics: true, marketing: false }));
document.querySelector('#refuse')?.addEventListener('click', () => guanxi('consent', false));
document.querySelector('#leave')?.addEventListener('click', () => guanxi('optOut'));
