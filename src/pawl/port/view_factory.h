// Opens the view of a partition: how a program that embeds Pawl brings a back end of its own.
//
//   RuntimeOptions options{.directory = "state"};
//   options.view = [](const std::string& directory) -> Result<std::unique_ptr<View>> {
//     PAWL_ASSIGN(std::unique_ptr<FileView> view, FileView::open(directory));
//     return std::unique_ptr<View>(std::move(view));
//   };
//
// It is called once for each partition, in the thread that its view belongs to, with a directory that is that view's
// own and may not exist yet. A view with nothing in it is filled from the log, as far as that goes back: a state
// directory stays with the back end that it began with.
#pragma once

#include <memory>
#include <string>

#include "pawl/base/callback.h"
#include "pawl/base/result.h"
#include "pawl/port/view.h"

namespace pawl {

using ViewFactory = Callback<Result<std::unique_ptr<View>>(const std::string& directory)>;

}  // namespace pawl
