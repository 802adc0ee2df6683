// Clips move unless the reader's system asks for less motion; a button stops and starts them, and a clip that is pointed
// at or has the focus moves in any case.
const button = document.getElementById("motion");
if (button) {
  const show = (state) => {
    document.documentElement.dataset.clips = state;
    button.textContent = state === "moving" ? "Pause the clips" : "Play the clips";
  };
  show(matchMedia("(prefers-reduced-motion: reduce)").matches ? "still" : "moving");
  button.hidden = false;
  button.addEventListener("click", () => show(document.documentElement.dataset.clips === "moving" ? "still" : "moving"));
}
