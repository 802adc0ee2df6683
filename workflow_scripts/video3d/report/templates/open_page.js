const link = event.target.closest('a[data-page]');
if (link) {
  event.preventDefault();
  const packed = this.parentNode.querySelector('template[data-packed=' + link.dataset.page + ']').content.textContent;
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const tab = open();
  new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text().then((html) => {
    tab.location = URL.createObjectURL(new Blob([html], {type: 'text/html'})) + link.hash;
  });
}
