// What a reader would see wrong with a page, as data.
(() => {
  const box = (element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return { left, right, top, bottom };
  };
  const within = (inner, outer) =>
    inner.left >= outer.left - 1.5 && inner.right <= outer.right + 1.5 &&
    inner.top >= outer.top - 1.5 && inner.bottom <= outer.bottom + 1.5;
  // Letters do not fill the boxes of their lines: two pixels of overlap are not seen.
  const overlap = (a, b) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;

  for (const details of document.querySelectorAll("details")) details.open = true;
  const charts = [...document.querySelectorAll("svg[role=img]")].map((svg) => {
    const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim());
    const boxes = texts.map(box);
    const overlapping = [];
    boxes.forEach((a, i) => boxes.slice(0, i).forEach((b, j) => {
      if (overlap(a, b)) overlapping.push([texts[i].textContent, texts[j].textContent]);
    }));
    return {
      name: svg.getAttribute("aria-label"),
      texts: texts.length,
      overlapping,
      outside: texts.filter((_, i) => !within(boxes[i], box(svg))).map((text) => text.textContent),
      smallest: Math.min(...texts.map((text) =>
        parseFloat(getComputedStyle(text).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)),
    };
  });
  const cells = [...document.querySelectorAll("th, td")];
  return {
    width: document.documentElement.clientWidth,
    scroll_width: document.documentElement.scrollWidth,
    charts,
    unnamed: document.querySelectorAll("svg:not([aria-label]):not([aria-hidden=true])").length,
    headings: [...document.querySelectorAll("h1, h2, h3, h4")].map((h) => [Number(h.tagName[1]), h.textContent.trim()]),
    crowded: cells.filter((cell) => cell.scrollWidth > cell.clientWidth + 1).map((cell) => cell.textContent),
    burst: [...document.querySelectorAll(".figure, .card, dd")].filter((each) =>
      each.scrollWidth > each.clientWidth + 1).map((each) => each.textContent.slice(0, 80)),
    scrolled: [...document.querySelectorAll(".scroll")].filter((each) =>
      !each.closest("details") && each.scrollWidth > each.clientWidth + 1).map((each) => each.textContent.slice(0, 80)),
    scripts: document.querySelectorAll("script, [onload], [onerror], [onclick], iframe, object, embed").length,
    language: document.documentElement.lang,
    title: document.title,
  };
})()
