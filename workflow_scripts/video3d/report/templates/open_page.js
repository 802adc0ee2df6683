const link = event.target.closest('a[data-page]');
if (link) {
  event.preventDefault();
  const packed = this.parentNode.querySelector('template[data-packed=' + link.dataset.page + ']').content.textContent;
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const tab = window.open(); /* in an attribute, open and URL alone are those of the document */
  new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text().then((html) => {
    tab.location = window.URL.createObjectURL(new Blob([html], {type: 'text/html'})) + link.hash;
  });
}
