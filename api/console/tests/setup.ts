/** What modules read of the page when they are imported. */
const address = 'http://service.example/';

Object.assign(globalThis, {
  document: { baseURI: address, hidden: false },
  location: new URL(address),
  sessionStorage: storage(),
});

function storage(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}
