"use strict";

const place = document.getElementById("swagger-ui");

SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null, // nothing leaves this house
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
