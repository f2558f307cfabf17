"use strict";
(() => {
  const list = document.getElementById("list");
  const cases = [...list.children].map((element, place) => ({
    element,
    place,
    text: null,
    scores: JSON.parse(element.dataset.scores),
    seconds: Number(element.dataset.seconds),
  }));
  const control = (name) => document.getElementById(name);
  const said = (one) => (one.text ??= one.element.textContent.toLowerCase());

  const wanted = (one) => {
    const find = control("find").value.trim().toLowerCase();
    const { kind } = one.element.dataset;
    const show = control("show").value;
    return (
      (!control("kind").value || control("kind").value === kind) &&
      (!show || show in one.element.dataset) &&
      (!find || said(one).includes(find))
    );
  };

  const key = (one, by) => {
    if (by === "") return one.place;
    if (by === "seconds") return -one.seconds;
    return one.scores[by] ?? Infinity;
  };

  const update = () => {
    const by = control("sort").value;
    const order = [...cases].sort((a, b) => {
      const [first, second] = [key(a, by), key(b, by)];
      return first === second ? a.place - b.place : first < second ? -1 : 1;
    });
    let shown = 0;
    for (const one of order) {
      one.element.hidden = !wanted(one);
      shown += !one.element.hidden;
      list.append(one.element);
    }
    control("count").textContent = `${shown} of ${cases.length}`;
  };

  for (const name of ["find", "kind", "show", "sort"]) control(name).addEventListener("input", update);
  update();
})();
